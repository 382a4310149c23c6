from django.db import models


class Note(models.Model):
    """A line that a visitor left."""

    text = models.CharField(max_length=200)
    # The default is the database's too: the release before this one does not
    # know the column and leaves it out of its INSERT.
    author = models.CharField(max_length=100, default="", db_default="", blank=True)
    created = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ["-created"]

    def __str__(self):
        return self.text
