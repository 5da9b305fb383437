"""What happens around an incident: who hears of it, who keeps it quiet, what else is wrong with its data."""
