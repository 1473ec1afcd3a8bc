"""What the person with the screwdriver needs: what hangs on which port, and where the site is."""
