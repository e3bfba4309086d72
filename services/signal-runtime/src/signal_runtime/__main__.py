from chassis.service import serve

from signal_runtime.app import create_app

if __name__ == "__main__":
    serve(create_app)
