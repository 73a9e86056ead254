"""Answers kept between runs, each under all that it depends on."""
