"""How the gaps of moto are filled: a method replaced, or one added."""

import functools


def instead(owner, name):
    """Replaces a method. The replacement gets the original before its arguments."""
    original = getattr(owner, name)

    def replace(method):
        @functools.wraps(original)
        def replacement(*arguments, **named):
            return method(original, *arguments, **named)

        setattr(owner, name, replacement)
        return method

    return replace


def also(owner):
    """Adds an operation that moto does not have, under the function's name."""

    def add(method):
        if hasattr(owner, method.__name__):
            raise AttributeError(f"moto has {method.__name__} now: close this gap")
        setattr(owner, method.__name__, method)
        return method

    return add
