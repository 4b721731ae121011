"""The API of people: sessions, one's own account, accounts that operators keep."""
