"""The PostgreSQL data proxy: a kernel's only door, which knows the password so that the kernel need not."""
