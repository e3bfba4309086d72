from chassis.service import serve

from risk_gate.app import create_app

if __name__ == "__main__":
    serve(create_app)
