"""One bundle for several lengths: what a length is, what pads, one module for all."""
