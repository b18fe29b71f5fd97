"""What a user waits for, measured: ours, the baseline, the limit. ``python -m bench``."""
