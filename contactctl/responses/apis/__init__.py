"""What the providers' APIs are asked, and how they answer: a data file for each, one engine."""
