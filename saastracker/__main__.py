"""`python -m saastracker`."""

from saastracker.cli import main

main()
