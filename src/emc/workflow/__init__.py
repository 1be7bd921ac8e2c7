"""One function per arrow of the data flow: only this layer knows the order of the stages, the store and the progress."""
