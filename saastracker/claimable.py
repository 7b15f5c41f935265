"""What only one of several processes does with a store, and which that is."""

from typing import Protocol


class Claimable(Protocol):
    """The part of a store that tells."""

    @property
    def shared(self) -> bool:
        """Whether several processes may append; if not, only the one that has claimed it does."""

    def claim(self) -> None:
        """Become, or make sure to be still, the one process that follows the index and runs jobs.

        Raises OperatorError naming the other process that is. Whoever dies has it no longer.
        """
