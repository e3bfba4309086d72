from chassis.service import serve

from dashboard_api.app import create_app
from dashboard_api.settings import Settings

if __name__ == "__main__":
    settings = Settings()
    serve(
        lambda: create_app(settings),
        port=settings.port,
        ws_max_size=settings.message_bytes_max,
        ws_max_queue=16,
        ws_per_message_deflate=False,  # it costs a quarter of a megabyte a socket
        server_header=False,
        log_level="warning",  # a line for every socket that comes and goes says nothing
    )
