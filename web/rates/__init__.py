"""How much one caller may ask for within a minute."""
