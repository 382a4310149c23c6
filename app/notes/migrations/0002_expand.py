from django.db import migrations, models
from django.db.models import F


def copy(apps, _):
    Note = apps.get_model("notes", "Note")
    Note.objects.filter(author="").exclude(signature="").update(author=F("signature"))


class Migration(migrations.Migration):
    """Author takes the place of signature; the release before still uses signature.

    Expand: the new column is there beside the old one, which this release no
    longer touches, so both releases run on this schema.
    """

    dependencies = [("notes", "0001_initial")]

    operations = [
        migrations.AddField(
            model_name="note",
            name="author",
            field=models.CharField(blank=True, db_default="", default="", max_length=100),
        ),
        migrations.RunPython(copy, migrations.RunPython.noop),
        migrations.SeparateDatabaseAndState(
            state_operations=[migrations.RemoveField(model_name="note", name="signature")],
        ),
    ]
