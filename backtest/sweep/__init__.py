"""Search of settings: asked of a sampler, screened by day, the best run exactly, and what chance explains."""
