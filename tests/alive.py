"""Whether processes that tests start still run."""


def is_alive(pid: int) -> bool:
    """Whether a process runs; one that nobody waits for does not."""
    try:
        with open(f"/proc/{pid}/stat") as file:
            return file.read().rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        return False
