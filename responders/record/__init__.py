"""The record of a case: journal, evidence and vault, how both copies are kept whole and proven."""
