"""Speed, measured on this machine: `manage.py bench pull` and `manage.py bench serve`."""
