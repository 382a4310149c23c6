from concurrent.futures import ThreadPoolExecutor

from django.contrib.staticfiles.storage import staticfiles_storage
from django.core.management import BaseCommand
from django.core.files.storage import storages


class Command(BaseCommand):
    """Nothing is ever deleted or replaced: pages of the release before still need its files."""

    help = "Copy the static files that collectstatic has named by their hash to the bucket that visitors read."

    def handle(self, *args, **options):
        published = storages["published"]
        names = set(staticfiles_storage.hashed_files.values())
        prefix = published.location + "/"
        there = {item.key.removeprefix(prefix) for item in published.bucket.objects.filter(Prefix=prefix)}
        missing = sorted(names - there)

        def copy(name):
            with staticfiles_storage.open(name) as file:
                published.save(name, file)

        with ThreadPoolExecutor(16) as pool:
            list(pool.map(copy, missing))  # list, so that the first error is raised
        self.stdout.write(f"{len(missing)} of {len(names)} static files were new")
