"""Whether a server is ready to be synchronized with: what is asked, how it is judged, kept."""
