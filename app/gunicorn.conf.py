import multiprocessing

# There is no address here: systemd hands over the socket that it listens on, so
# that no request is refused while this server restarts.
worker_class = "gthread"
workers = multiprocessing.cpu_count() + 1
threads = 4
preload_app = True
# A worker that leaks is replaced; each at another time, so never all at once.
max_requests = 10_000
max_requests_jitter = 1_000
worker_tmp_dir = "/dev/shm"

# The load balancer gives up after edge.idleTimeout, 60 seconds by default. A
# stop waits longer than that for requests, and systemd longer still.
timeout = 65
graceful_timeout = 75

# What nginx says of the visitor is true, and nobody else can connect to the socket.
forwarded_allow_ips = "*"

control_socket_disable = True  # systemd controls it
accesslog = None  # nginx has one
errorlog = "-"
