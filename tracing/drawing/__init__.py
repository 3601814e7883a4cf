"""What to show of a flow, and where: coordinates, widths, words. Plain Python."""
