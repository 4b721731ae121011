"""Parameters on their way to a kernel: the form that asks for them, the cell that carries them, the proof."""
