"""What ``tradebyte doctor`` looks at, one concept a file: facts go in, findings come out."""
