import logging

from django.core.cache.backends.redis import RedisCache
from redis.exceptions import RedisError

logger = logging.getLogger(__name__)


class PatientRedisCache(RedisCache):
    """A cache that is away is an empty one: /readyz notices, visitors do not."""

    def get(self, key, default=None, version=None):
        return self.attempt(super().get, default, key, default, version)

    def set(self, key, value, **options):
        self.attempt(super().set, None, key, value, **options)

    def add(self, key, value, **options):
        return self.attempt(super().add, False, key, value, **options)

    def delete(self, key, version=None):
        return self.attempt(super().delete, False, key, version)

    @staticmethod
    def attempt(operation, otherwise, *arguments, **options):
        try:
            return operation(*arguments, **options)
        except RedisError as error:
            logger.warning("cache: %s", error)
            return otherwise
