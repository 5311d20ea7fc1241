"""The numbers that Philox 4x32 is made of."""

ROUNDS = 10
MULTIPLIERS = (0xD2511F53, 0xCD9E8D57)
# what is added to the key after each round
STEPS = (0x9E3779B9, 0xBB67AE85)
WORD = 0xFFFFFFFF
# bits of a word, or of two words, that are not in a number's digits
DROPPED, DROPPED_HIGH, DROPPED_LOW = 8, 5, 6
SINGLE_UNIT, LOW_RANGE, DOUBLE_UNIT = 2.0**-24, 2.0**26, 2.0**-53
