"""Many clients that want nothing good, at a real proxy: how many stand, what each costs, and that others are served."""
