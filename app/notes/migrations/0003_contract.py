from django.db import migrations


class Migration(migrations.Migration):
    """Contract: no running release uses signature any more, so the column goes.

    It goes one release after 0002_expand: then blue, too, does without it.
    Rows that the release before 0002 wrote while both ran are copied first.
    """

    dependencies = [("notes", "0002_expand")]

    operations = [
        migrations.RunSQL(
            "UPDATE notes_note SET author = signature WHERE author = '' AND signature <> ''",
            migrations.RunSQL.noop,
        ),
        migrations.RunSQL(
            "ALTER TABLE notes_note DROP COLUMN signature",
            "ALTER TABLE notes_note ADD COLUMN signature varchar(100) NOT NULL DEFAULT ''",
        ),
    ]
