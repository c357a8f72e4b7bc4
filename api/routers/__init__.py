"""Routes by area; each names the scope it needs, health alone is open."""
