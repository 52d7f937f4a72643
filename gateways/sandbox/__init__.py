"""Stand-ins for the world outside: separate processes on loopback that speak the real protocols."""
