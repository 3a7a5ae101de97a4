"""The recorded market without our own orders, and where those stand in it when the compared time begins."""
