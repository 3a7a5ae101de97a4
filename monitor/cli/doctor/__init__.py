"""What ``tradebyte doctor`` looks at, one concept a file: results of questions go in, findings come out."""
