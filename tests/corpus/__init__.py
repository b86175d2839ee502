"""Raw requests and responses, what must happen to each, and what makes it happen to any proxy."""
