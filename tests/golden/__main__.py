"""Write the golden files."""

from tests.golden import main

main()
