"""What the person with the screwdriver needs: which device hangs on which port."""
