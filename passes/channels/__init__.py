"""Which channels of a network are constant, which are needed; used by the trim-channels pass."""
