from django.conf import settings
from django.http import HttpResponse, JsonResponse

from .readiness import problems


class HealthMiddleware:
    """Answer the load balancer and the hooks, whatever host name they call the instance.

    /healthz says that this process serves requests, and asks nobody else: a
    database that is down must not take every instance out of service.
    /readyz says whether the release could take visitors, and why not.
    """

    def __init__(self, get_response):
        self.get_response = get_response

    def __call__(self, request):
        if request.path == "/healthz":
            return HttpResponse("ok\n", content_type="text/plain")
        if request.path == "/readyz":
            found = problems()
            return JsonResponse({"release": settings.RELEASE, "problems": found}, status=503 if found else 200)
        return self.get_response(request)
