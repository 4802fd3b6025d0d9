"""Connect: one service behind the admin's form, the web service and the registration page."""
