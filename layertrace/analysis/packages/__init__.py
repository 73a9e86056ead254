"""Whose package a file is: what the databases of dpkg, apk, rpm, npm and pip say."""
