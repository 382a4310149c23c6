from django.core.files.storage import storages
from django.shortcuts import redirect
from django.views.decorators.cache import cache_control


@cache_control(public=True, max_age=1800)  # half as long as the signed address is good for
def static(request, name):
    """Send the browser to where the bucket, which is private, has a static file."""
    return redirect(storages["published"].url(name))
