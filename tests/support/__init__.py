"""What several kinds of tests share; no tests in here."""
