from chassis.service import serve

from competition.app import create_app

if __name__ == "__main__":
    serve(create_app)
