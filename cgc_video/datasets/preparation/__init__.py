"""Make annotation lists from data sets as they are shipped. Import the submodules: this file imports nothing."""
