"""JupyterHub for a class on one machine; README.md beside this file says how it is started, and what it costs.

As it stands it is for trying: on this machine alone, everybody is let in without a password, and all servers run as one
user. The lines at the end make it the hub of a class.
"""

import sys
from pathlib import Path

COURSE, PROGRAMS = Path(__file__).resolve().parents[1], Path(sys.executable).parent
c = get_config()  # type: ignore[name-defined]  # noqa: F821  JupyterHub gives this name to its configuration
c.JupyterHub.bind_url = "http://127.0.0.1:8000"
c.JupyterHub.authenticator_class, c.Authenticator.allow_all = "dummy", True
c.JupyterHub.spawner_class = "simple"
# No limits to a class that logs in at once: over this one is an error, 429, and the last server waits for all others.
c.JupyterHub.concurrent_spawn_limit = 0
c.Spawner.http_timeout = c.Spawner.start_timeout = 300

# A student's first server copies the notebooks; everything else is read from the course's own folder.
FIRST = f"mkdir -p ~/course; ln -sfn '{COURSE}/course_utils' ~/course/"
FIRST += f"; test -d ~/course/notebooks || cp -r '{COURSE}/notebooks' ~/course/"
c.Spawner.cmd = ["sh", "-c", f"{FIRST}; exec '{PROGRAMS}/jupyterhub-singleuser' \"$@\"", "server"]
c.Spawner.notebook_dir = "~/course"
c.Spawner.default_url = "/lab/tree/notebooks/00_start_here.ipynb"
c.Spawner.environment = {"COURSE_OWN_DIR": "~/course/own", "OMP_NUM_THREADS": "1"}
c.Spawner.mem_limit = "3G"  # one notebook needs up to 2 GB; only the spawner of a class keeps to it

# A server without a reader for an hour ends, so that its memory is free for others; files and notebooks stay.
CULLER = [sys.executable, "-m", "jupyterhub_idle_culler", "--timeout=3600"]
SCOPES = ["list:users", "read:users:activity", "read:servers", "delete:servers"]
c.JupyterHub.services = [{"name": "culler", "command": CULLER}]
c.JupyterHub.load_roles = [{"name": "culler", "services": ["culler"], "scopes": SCOPES}]

# For a class: the accounts of this machine, and for each a server of its own with a limit, kept by systemd.
# c.JupyterHub.authenticator_class, c.Authenticator.allow_all = "pam", False
# c.LocalAuthenticator.allowed_groups, c.Authenticator.admin_users = {"students"}, {"teacher"}
# c.JupyterHub.spawner_class = "systemd"
