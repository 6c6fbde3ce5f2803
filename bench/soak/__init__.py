"""Mixed traffic over many connections for minutes: does anything get lost, does anything grow?"""
