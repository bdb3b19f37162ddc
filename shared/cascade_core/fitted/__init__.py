"""What a fitted policy needs at run time, and nothing that fits one."""
