"""How it is known that what lies in a store is what was written there."""
