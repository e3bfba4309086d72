from chassis.service import serve

from pnl_tracker.app import create_app

if __name__ == "__main__":
    serve(create_app)
