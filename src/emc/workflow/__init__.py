"""One function per arrow of the data flow: only this layer knows the order, the store and the progress."""
